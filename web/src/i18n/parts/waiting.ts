/** 等候页和“第二台设备”的文字，随课堂页面一起取。 */

export default {
  "zh-CN": {
    waiting: {
      door: "请稍候，等老师请你们进来",
      doorText: "已经告诉老师了。老师点“请进”，这里就会自动进入课堂，不用再按什么。",
      left: "离上课还有",
      planned: "{date} 上课",
      soon: "老师马上就来",
      soonText: "课一开始，这里就会出现画面和声音，不用再按什么。",
      preflight: "课前检测",
      leave: "离开",
    },
    second: {
      classText: "本班正在另一台设备上听课。要换到这台设备上，还是在这里只看不出声？",
      teacherText: "您的账号正在另一台设备上上这节课。继续后，那一台会停下，课不会断。",
      takeOver: "接管：换到这台设备",
      watch: "只观看，不出声",
      teach: "在此设备上继续上课",
    },
  },
  en: {
    waiting: {
      door: "Please wait until the teacher lets you in",
      doorText: "The teacher has been told. As soon as you are let in, the lesson opens here by itself.",
      left: "The lesson begins in",
      planned: "Begins {date}",
      soon: "The teacher is coming",
      soonText: "When the lesson begins, picture and sound show up here by themselves.",
      preflight: "Preflight check",
      leave: "Leave",
    },
    second: {
      classText: "Your class is in this lesson on another device. Move to this device, or only watch here without sound?",
      teacherText: "Your account is teaching this lesson on another device. If you go on here, that one stops; the lesson does not.",
      takeOver: "Take over: move to this device",
      watch: "Only watch, without sound",
      teach: "Go on teaching on this device",
    },
  },
};
