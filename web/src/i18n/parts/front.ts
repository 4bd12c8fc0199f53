/** 首页和登录页的文字，随这两个页面一起取：课堂页面用不着。 */

export default {
  "zh-CN": {
    home: {
      title: "几所学校，同上一堂课",
      lead: "一位老师讲课，远方的班级一起看、一起听、举手就能回答。下课那一刻，录像就可以回放。",
      teacher: "教师与教研员",
      teacherText: "开一节课、去听课、看回放，请先登录。",
      toLessons: "进入我的课",
      before: "上课前",
      beforeText: "老师新建一节课，得到一个 6 位课堂码，发给各个班级。",
      during: "上课时",
      duringText: "班级输入课堂码就能进来，不用装软件，不用注册。网络断了会自己接回来。",
      after: "下课后",
      afterText: "老师的画面和屏幕并排回放，打过点的地方一点就到。",
    },
    login: {
      title: "登录",
      name: "用户名",
      password: "密码",
      submit: "登录",
      submitting: "正在登录…",
      class: "班级听讲不用登录，",
      classLink: "输入课堂码就可以进来",
      noAccount: "老师还没有账号，或忘了密码：请本校的管理员发一个链接。",
    },
  },
  en: {
    home: {
      title: "Several schools, one lesson",
      lead: "One teacher teaches; classes far away watch, listen, raise a hand and answer. The moment it ends, the recording can be replayed.",
      teacher: "Teachers and researchers",
      teacherText: "Sign in to give a lesson, observe one, or watch a replay.",
      toLessons: "Go to my lessons",
      before: "Before",
      beforeText: "The teacher creates a lesson and gets a 6-digit class code to pass on to the classes.",
      during: "During",
      duringText: "A class enters the code and is in: nothing to install, no account. If the network drops, it comes back by itself.",
      after: "After",
      afterText: "Teacher and screen are replayed side by side; one click leads to every mark.",
    },
    login: {
      title: "Sign in",
      name: "User name",
      password: "Password",
      submit: "Sign in",
      submitting: "Signing in…",
      class: "Classes need no account:",
      classLink: "enter with the class code",
      noAccount: "A teacher without an account, or without the password, asks the school's administrator for a link.",
    },
  },
};
