/** Brings the words of the four signals along with whatever shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/signals";

addWords(words as Part);
