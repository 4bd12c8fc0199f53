/** Brings the words of the lesson's door along with its panel. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/door";

addWords(words as Part);
