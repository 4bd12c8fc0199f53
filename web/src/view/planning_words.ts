/** Brings the words of 我的课 along with its pages. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/planning";

addWords(words as Part);
