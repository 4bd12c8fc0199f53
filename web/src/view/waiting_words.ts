/** Brings the words of the waiting page, and of a second device, along with whatever shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/waiting";

addWords(words as Part);
