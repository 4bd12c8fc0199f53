/** Brings the words for slides and board along with whatever shows them to a class. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/pages";

addWords(words as Part);
