/** Brings the words between classes and teachers along with whatever shows them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/talk";
import "./signal_words";

addWords(words as Part);
