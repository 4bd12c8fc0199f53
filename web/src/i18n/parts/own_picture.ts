/** 本班的摄像头和录制：课堂页面上那张卡片，和工具栏上一个按钮后面的文字。 */

export default {
  "zh-CN": {
    ownPicture: {
      title: "本班摄像头",
      floor: "发言时打开",
      always: "一直打开，平时只有老师看得到",
      never: "不打开",
      recording: "录制",
    },
    consent: {
      title: "要把我们班录进去吗？",
      text: "请在班的老师代表学校回答。同意后，本班发言时的画面、声音和发的消息会存进录像。用本班自己的课堂码进来的，到 1 月 31 日或 8 月 31 日前都算数；随时可以改主意，改了以后不再录。不同意也照样听讲、发言。",
      agree: "同意录制",
      decline: "不录我们班",
      withdraw: "不再录我们班",
    },
  },
  en: {
    ownPicture: {
      title: "Our camera",
      floor: "On while we speak",
      always: "Always on; only teachers see it until we speak",
      never: "Off",
      recording: "Recording",
    },
    consent: {
      title: "May our class be recorded?",
      text: "For the teacher in the room to answer, on behalf of the school. If you agree, the recording keeps your picture and sound while you speak, and your messages. For a class that came in with its own code this holds until 31 January or 31 August. You may change your mind at any time; from then on you are not recorded. You can listen and speak either way.",
      agree: "Agree",
      decline: "Do not record us",
      withdraw: "Stop recording us",
    },
  },
};
