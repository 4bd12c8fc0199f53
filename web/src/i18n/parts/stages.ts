/** The stages of a lesson and its countdown, for the studio and the replay. */

export default {
  "zh-CN": {
    stages: {
      title: "教学环节",
      names: { intro: "导入", new_content: "新授", practice: "练习", summary: "小结" },
      own: "其他环节，写好按回车",
      countdown: "倒计时",
      minutes: "{count} 分钟",
      countdownStop: "停止倒计时",
    },
  },
  en: {
    stages: {
      title: "Stage",
      names: { intro: "Introduction", new_content: "New content", practice: "Practice", summary: "Summary" },
      own: "Another stage, then Enter",
      countdown: "Countdown",
      minutes: "{count} min",
      countdownStop: "Stop the countdown",
    },
  },
};
