"""The folder of a model: a local one, or a download from the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path

from babelspan.types import DataError


def local_copy(model: str, patterns: Sequence[str]) -> Path:
    """The folder of a model on this machine; a model on the hub is downloaded first.

    Args:
        model: a folder, or a name on the Hugging Face hub.
        patterns: patterns of the file names to download from the hub.

    Raises:
        DataError: if there is no such model, or the hub cannot be reached.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or model.startswith((".", "~")):
        raise DataError(
            f"{model}: expected the folder of a model, found no such folder; check the path"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=list(patterns)))
    except Exception as error:  # the library raises many classes; the cause is named below
        found, remedy = _cause(error)
        raise DataError(
            f"{model}: expected a folder, or a model on the Hugging Face hub; found no such "
            f"folder, and {found}; {remedy}"
        ) from None


def _cause(error: Exception) -> tuple[str, str]:
    """The cause of an error of the hub, and a remedy."""
    from huggingface_hub import errors

    if isinstance(error, errors.HFValidationError):
        return (
            "this cannot be a name on the hub",
            "check the path; names on the hub are like Helsinki-NLP/opus-mt-en-es",
        )
    if isinstance(error, errors.GatedRepoError):
        return (
            "the hub gives this model only to users who accepted its terms",
            "accept them on its page, then log in with `hf auth login`",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            "the hub has no such model, or a private one",
            "check the name; for a private model log in with `hf auth login`",
        )
    return (
        "the hub cannot be reached",
        "check the name and the network, or download the model on another machine (`hf download "
        "NAME --local-dir FOLDER`), copy the folder here and use its path",
    )
