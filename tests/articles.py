"""Articles of the TyDi QA primary tasks made of passages, for tests."""

import gzip
import json
from pathlib import Path
from typing import Any


def record_of(
    number: int,
    question: str,
    passages: list[str],
    *,
    passage: int = -1,
    answer: str | None = None,
    yes_no: str = "NONE",
    language: str = "finnish",
    title: str = "",
) -> dict[str, Any]:
    """A record in the full form; the answer is the first place of its text in the passage."""
    text, candidates = title, []
    for content in passages:
        text += "\n" if text else ""
        start = len(text.encode())
        text += content
        candidates.append({"plaintext_start_byte": start, "plaintext_end_byte": len(text.encode())})
    start = end = -1
    if answer is not None:
        inside = passages[passage].index(answer)
        start = candidates[passage]["plaintext_start_byte"]
        start += len(passages[passage][:inside].encode())
        end = start + len(answer.encode())
    annotation = {
        "annotation_id": number,
        "passage_answer": {"candidate_index": passage},
        "minimal_answer": {"plaintext_start_byte": start, "plaintext_end_byte": end},
        "yes_no_answer": yes_no,
    }
    return {
        "annotations": [annotation, annotation],
        "document_plaintext": text,
        "document_title": title,
        "document_url": "",
        "example_id": number,
        "language": language,
        "passage_answer_candidates": candidates,
        "question_text": question,
    }


def write_records(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write records as lines, gzipped if the name says so."""
    lines = "".join(f"{json.dumps(r, ensure_ascii=False)}\n" for r in records).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path
