"""Neural translation by CTranslate2."""

from babelspan.translators.ctranslate2.engine import translator as translator
