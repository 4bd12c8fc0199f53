/** Brings the words of the stages along with what shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/stages";

addWords(words as Part);
