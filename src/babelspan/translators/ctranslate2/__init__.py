"""The translator `ctranslate2`: neural machine translation with CTranslate2."""

from babelspan.translators.ctranslate2.engine import translator as translator
