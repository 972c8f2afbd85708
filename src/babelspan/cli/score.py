def command() -> None: "x"
