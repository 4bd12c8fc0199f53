/**
 * The names by which tests find what a person sees. They are part of what the pages promise; tests/view/testids.test.ts
 * checks that each still stands on a page. `<id>` is a participant id.
 */
export const TESTIDS = [
  // everywhere
  "language", "language-bo", "language-en", "logout", "problem" /* data-code */, "notice" /* data-key */, "ended", "closed" /* data-code */, "to-replay",
  // home and /class
  "class-code", "class-name", "class-headcount", "enter-class", "code-incomplete",
  "entry-found", "entry-none", "class-bookmark", "other-code",
  // /login
  "login-name", "login-password", "login-submit",
  // /lessons
  "lesson-title", "create-lesson", "lesson-row" /* data-lesson-id */, "lesson-code", "copy-code", "copy-link", "teach",
  "observe", "replay", "recording-policy", "delete-lesson", "confirm-delete", "lesson-starts-at", "lesson-kind", "lesson-subject", "lesson-grade", "lesson-more",
  "lesson-handouts", "handout-desk", "handout", "open-handout", "remove-handout", "confirm-remove-handout", "handout-trouble", "handout-file", "add-handout",
  "lesson-slides", "slide-desk", "slide-file", "add-slides", "stop-slides", "remove-slides", "take-materials",
  "invite", "invite-<id>", "like-last", "discard", "change-lesson", "copy-lesson", "guide", "rehearse",
  // /lessons/…/guide
  "print", "sheet", "sheet-code", "qr",
  // /admin
  "to-admin", "admin-schools", "admin-accounts", "school-name", "school-region", "add-school", "school", "remove-school", "confirm-remove-school",
  "class-group", "class-group-name", "class-group-headcount", "class-group-code", "add-class", "copy-class-link", "renew-class-code", "confirm-renew",
  "remove-class", "confirm-remove-class", "account", "account-role", "account-place", "invite-place", "invite-role", "invite-name", "make-link", "account-link", "copy-account-link",
  "reset-password", "close-account", "open-account", "confirm-close",
  // /login with a link
  "link-form", "link-name", "link-password", "link-again", "link-wrong", "link-save",
  // /teach
  "start-lesson", "end-lesson", "confirm-end", "cancel", "microphone" /* data-on */, "mic-level", "camera" /* data-on */,
  "share-screen", "own-camera", "own-screen", "elapsed", "present", "hands", "participant-row" /* data-participant-id */,
  "floor-<id>", "hand-<id>", "confirm-remove", "studio-code", "chat-lines", "chat-text", "chat-send", "mark" /* data-count */, "pause-recording", "unrecorded-<id>",
  "scene" /* data-large data-beside */, "show-<id>" /* of a source */, "scene-<id>" /* of a layout */, "stage-<id>", "class-menu-<id>", "demote-<id>",
  "remove-<id>", "replace", "replace-<id>", "wait", "silent-<id>", "wall-video-<id>", "turn-balance", "many-classes",
  "audience", "audience-floor", "audience-countdown", "more", "music", "second-<id>", "own-document", "open-audience", "lead-headcount", "mic-own", "mic-shared", "summary", "copy-replay",
  "door-count", "door-row" /* data-participant-id */, "admit-<id>", "admit-all", "refuse-<id>", "confirm-refuse", "door-state" /* data-locked */,
  "lock", "renew-code", "invite-teacher", "confirm-renew",
  "stages", "begin-<id>", "stage-own", "countdown", "countdown-<id>", "countdown-stop",
  "side-messages", "side-slides", "side-unread", "slides-panel", "slides-upload", "slides-file", "slides-sending", "slides-stop", "slides-drawing", "slides-trouble",
  "slides-failed", "slide-set" /* data-slides-id */, "slides-remove", "confirm-remove-slides", "page-<id>", "board-<id>", "board-new", "board-small",
  "page-back", "page-at" /* data-page */, "page-on", "page-add", "page-ahead", "surface" /* data-shown data-strokes */, "drawing-layer" /* data-instrument data-waiting */,
  "drawing-tools", "ink-<id>" /* of an instrument */, "colour-<id>", "ink-bold", "ink-undo", "ink-clear", "confirm-clear",
  // /live (main-video: the teacher, or the large picture without a screen; data-showing once a frame is there)
  "main-video", "screen-video", "small-video-<id>", "self-video", "sound", "unlock-sound", "hand", "give-back", "on-floor",
  "volume", "open-chat", "rejoin", "leave", "line-state" /* data-word data-rung */, "delayed-video" /* data-showing */, "class-line" /* data-rung */, "paused", "recording-dot" /* data-recording */, "class-surface" /* data-surface data-sharp */,
  "consent-card", "consent-yes", "consent-no", "consent" /* data-given */, "own-picture", "camera-<id>" /* of a choice */, "camera-state", "class-more", "pictures-<id>", "class-countdown", "other-floor", "waiting" /* data-waiting */,
  "waiting-room" /* data-waiting */, "starts-in", "handouts", "print-handout", "second-device", "take-over", "only-watch",
  // /replay (replay-seek: a range input in ms; replay-time: position / length)
  "replay-views", "replay-play" /* data-playing */, "replay-seek", "replay-time", "replay-speed", "replay-camera",
  "replay-screen", "replay-guest", "replay-content" /* data-surface data-shown data-strokes */, "replay-sound", "tick-<id>", "note-<id>", "notes-<id>", "layout-<id>", "replay-enlarge",
  "replay-listen", "replay-pictures", "replay-link", "replay-full", "replay-back", "replay-help", "replay-keys", "replay-single-keys", "replay-keys-close",
  "replay-resumed", "replay-foreign", "replay-from-start", "replay-voices", "replay-tip", "replay-exports", "export-<id>" /* data-state */,
  "make-<id>", "cancel-<id>", "download-<id>",
  // /preflight (each row: data-state)
  "preflight", "preflight-link", "preflight-start", "preflight-result" /* data-count */, "preflight-back", "preflight-line", "preflight-up", "preflight-down",
  "preflight-delay", "preflight-loss", "preflight-microphone", "preflight-camera", "preflight-sound", "preflight-clock", "heard-yes", "heard-no", "play-notes",
  // /phone, and what belongs to it on the other pages
  "phone-help", "phone-code" /* data-path */, "phone-count", "phone-another", "phone-trouble", "phone-line" /* data-phase */, "phone-hand", "phone-file", "phone-photo", "photo-state",
  "signal-<id>", "work-photo" /* data-photo-id */, "shown-photo", "show-photo-<id>", "unshow-photo", "chat-to", "reply-<id>", "reply-all", "preset-<id>", "said-menu-<id>", "hide-message",
  "silence", "chat-to-all",
  // /remote, and what belongs to it in the studio
  "remote-control", "remote-dialog", "remote-code" /* data-path */, "remote-phone" /* data-away */, "take-<id>", "remote-another", "remote-more", "remote-close",
  "remote-trouble", "remote-line" /* data-phase */, "remote-<id>" /* of a list of classes */, "remote-nobody", "remote-leave", "confirm-leave", "remote-stage",
  "remote-mark" /* data-marks */, "remote-next", "remote-pages", "remote-page-before", "remote-page", "remote-page-after", "helping",
] as const;
