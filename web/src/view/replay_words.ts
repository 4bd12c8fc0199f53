/** Brings the words of the replay along with its page. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/replay";

addWords(words as Part);
