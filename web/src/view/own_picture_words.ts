/** Brings the words about a class's own camera, and about recording it, along with what shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/own_picture";

addWords(words as Part);
