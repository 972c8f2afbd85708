"""What a question generator reads of a long text: whole sentences round the answer."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from babelspan.reading.sources import Form, Sources
from babelspan.reading.windows import Featurizer
from babelspan.types import Answer, Example

SENTENCES = [f"Aa bb cc dd ee ff gg hh{number}." for number in range(10)]
TEXT = " ".join(SENTENCES)
METASPACE = pre_tokenizers.Metaspace(split=True)
CUTS = {
    "spaces are in no token": pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), METASPACE]
    ),
    "a token starts at the space before it": METASPACE,
}


def sources(cut):
    words = ["<s>", "</s>", "<unk>", "▁a", *(f"▁{word}" for word in dict.fromkeys(TEXT.split()))]
    known = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer = CUTS[cut]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 1)],
    )
    featurizer = Featurizer(tokenizer, max_positions=512, pad_id=1)
    form = Form(context_tokens=20, language="words", answer="prefix", pointer=False)
    return Sources(featurizer, form, pieces=len(words), languages={}), words


@pytest.mark.parametrize("cut", CUTS)
def test_sentences_are_read_from_their_first_word_to_their_last(cut):
    made, words = sources(cut)
    asked = Example(
        id="1",
        question="",
        context=TEXT,
        answers=(Answer("cc", TEXT.index("hh5") - len("cc dd ee ff gg ")),),
        question_language="en",
        context_language="en",
    )
    ids = made.of(asked, is_asked=True).ids.tolist()
    *_, text = " ".join(words[number] for number in ids[:-1]).split("</s> ")
    assert text.replace("▁", "") == SENTENCES[5]
