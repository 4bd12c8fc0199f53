/** Brings the words of administration along with its pages. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/admin";

addWords(words as Part);
