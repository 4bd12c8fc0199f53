/** Brings the words of the home page and of the login along with whatever shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/front";

addWords(words as Part);
