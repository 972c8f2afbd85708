"""Four small tokenizers of the kinds that readers come with, made from made-up sentences.

Trainers of Unigram and WordPiece differ in details from run to run, so that these have their pieces
from here.
"""

import pytest
from tokenizers import (
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SENTENCES = [
    "Who built the old bridge? The old bridge was built by Anna Köhler in 1984.",
    "Wo liegt die Brücke? Die Brücke liegt über dem Fluß bei Görlingen.",
    "桥在哪里？古老的桥在河上，建于一九八四年。",
    "أين يقع الجسر القديم؟ يقع الجسر فوق النهر.",
    "다리는 어디에 있나요? 오래된 다리는 강 위에 있다.",
    "पुराना पुल कहाँ है? पुल क्षत्रिय नदी के ऊपर है।",
    "สะพานอยู่ที่ไหน สะพานเก่าอยู่เหนือแม่น้ำ",
    "A family 👨\u200d👩\u200d👧\u200d👦 under the flag 🇩🇪 at the cafe\u0301, 𐍈 and 𠜎\r\nthe end",
]


def _roberta_like() -> Tokenizer:
    """Byte-level BPE, `<s> A </s> </s> B </s>`, offsets trimmed."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def _xlm_r_like() -> Tokenizer:
    """Unigram over Metaspace, `<s> A </s> </s> B </s>`."""
    words = ["\u2581" + word for sentence in SENTENCES for word in sentence.split()]
    characters = sorted({c for word in words for c in word})
    longer = sorted({w[:4] for w in words} | set(words) - set(characters))
    pieces = [(special, 0.0) for special in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces += [(c, -6.0 - i / 100) for i, c in enumerate(characters)]
    pieces += [(w, -9.0 - i / 100) for i, w in enumerate(longer)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def _bert_template(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 0), ("[SEP]", 2)],
    )
    return tokenizer


def _bert_like() -> Tokenizer:
    """WordPiece that lower-cases and strips accents, `[CLS] A [SEP] B [SEP]` with two types."""
    normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    words = [w for s in SENTENCES for w in normalizer.normalize_str(s).split()]
    characters = sorted({c for word in words for c in word})
    pieces = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", *characters, *(f"##{c}" for c in characters)]
    pieces += sorted({w[:3] for w in words if len(w) > 2} | {"bridge"})
    pieces = list(dict.fromkeys(pieces))
    tokenizer = Tokenizer(
        models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _bert_template(tokenizer)


def _word_level() -> Tokenizer:
    """Whole words and signs, `[CLS] A [SEP] B [SEP]` with two types."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        special_tokens=["[CLS]", "[PAD]", "[SEP]", "[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return _bert_template(tokenizer)


_KINDS = {
    "roberta_like": _roberta_like,
    "xlm_r_like": _xlm_r_like,
    "bert_like": _bert_like,
    "word_level": _word_level,
}


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    """What the tokenizers were trained on."""
    return SENTENCES


@pytest.fixture(scope="session")
def tokenizers() -> dict[str, Tokenizer]:
    """All four by name; in each the padding token has id 1."""
    return {name: make() for name, make in _KINDS.items()}


@pytest.fixture(scope="session", params=sorted(_KINDS))
def tokenizer(request, tokenizers) -> Tokenizer:
    """Each of the four in turn."""
    return tokenizers[request.param]
