"""Question generation: train a reader's encoder to write the question that an answer belongs to.

Paper      Riabi et al. (2021), arXiv:2010.12643, Sections 4.2 and 4.3; masks: Dong et al. (2019),
           arXiv:1905.03197, Figure 1; pointer: See et al. (2017), arXiv:1704.04368, Eq. 9.
Needs      labelled examples; for questions in several languages over texts in several languages,
           also their translations (`babelspan translate --strategy qc`).
Departs    1. The objective is next-token prediction; the paper's code masks subwords of the
              question and predicts the masked ones.
           2. By default subwords may be copied from the source; the recipe riabi2021 has no
              pointer.
           3. By default trained marker tokens surround the answer in the text too, to identify
              answers whose words occur twice; the recipe puts the answer before the text only.
           4. Of a text that is too long, the sentences around the answer are used.
           5. The loss is the mean over questions of nats per subword, not over all subwords of a
              batch, so that the losses of micro-batches add up.
           6. Label smoothing applies to the vocabulary distribution only, not to the pointer.
           7. The paper does not state how translations are combined: `crossing` draws one question
              language for each text.

Algorithm, for each batch x of (question language, answer, text, question)
    1  write      log p(question given language, answer, text)  <-  generator(x), left to right
    2  generator  minimise nats per subword
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from babelspan.augment.crossing import crossed
from babelspan.losses.writing import writing_loss
from babelspan.networks.asked import Asked
from babelspan.networks.question_generator import QuestionGenerator
from babelspan.reading.sources import Form
from babelspan.training.fit import Losses, fit
from babelspan.training.questions import written
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    form: Form = Form()
    """Input format of the generator: answer, language, context_tokens, pointer. With
    language = "words" the language is named in words, the paper's negative result (Appendix A)."""
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Label smoothing (0.1 in the code that the paper is built on)."""
    crossing: Literal["given", "drawn"] = "given"
    """Question of each text: the one given with it, or the same question in a language drawn from
    the available translations."""
    generator: Optim = Optim(lr=3e-4)
    """Optimiser of the generator."""


def train(
    generator: QuestionGenerator, corpora: Corpora, config: Config, run: Run
) -> QuestionGenerator:
    """Train the generator; see the algorithm above."""
    seed = run.config.seed
    drawn = config.crossing == "drawn"
    examples = list(crossed(corpora.labelled, seed=seed)) if drawn else corpora.labelled
    generator.shape(config.form, {e.question_language for e in examples}, seed=seed)
    update_generator = Updater(generator, config.generator, run, name="generator")

    def step(batch: Asked) -> Losses:
        writing = generator(batch)

        loss = writing_loss(
            writing.log_probs, writing.uniform, batch.real, smoothing=config.smoothing
        )
        update_generator(loss)

        return {"writing": loss}

    fit(step, written(generator, examples, run), run)
    return generator
