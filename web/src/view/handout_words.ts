/** Brings the words of handouts along with whatever shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/handouts";

addWords(words as Part);
