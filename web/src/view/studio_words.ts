/** Brings the words of the studio along with whatever of it is shown. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/studio";
import "./device_words";

addWords(words as Part);
