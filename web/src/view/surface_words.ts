/** Brings the words for slides, board and drawing along with whatever of them a teacher uses. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/surfaces";

addWords(words as Part);
