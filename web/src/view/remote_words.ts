/** Brings the words of the remote control along with whatever of it is shown. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/remote";

addWords(words as Part);
