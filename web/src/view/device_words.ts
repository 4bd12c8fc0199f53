/** Brings the words for cameras and microphones that do not open along with whatever opens them. */

import { addWords, type Part } from "../i18n";
import words from "../i18n/parts/device";

addWords(words as Part);
