/** 班级不用说话就能告诉老师的四件事。 */

export default {
  "zh-CN": {
    signal: {
      slower: "慢一点",
      unclear: "看不清",
      inaudible: "听不见",
      again: "再讲一遍",
      group: "提醒老师",
      sent: "已告诉老师",
    },
  },
  en: {
    signal: {
      slower: "Slower",
      unclear: "Cannot see",
      inaudible: "Cannot hear",
      again: "Once more",
      group: "Tell the teacher",
      sent: "The teacher knows",
    },
  },
};
