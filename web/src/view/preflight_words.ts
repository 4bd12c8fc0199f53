/** Brings the words of the check before a lesson along with it. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/preflight";
import "./device_words";

addWords(words as Part);
