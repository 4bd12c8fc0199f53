/** 课件和白板在班级页面上的文字；读屏软件念给看不见画面的人听。 */

export default {
  "zh-CN": {
    page: {
      slide: "课件：{title}，第 {page} 页，共 {pages} 页",
      board: "白板第 {page} 页",
      coming: "课件正在打开…",
    },
  },
  en: {
    page: {
      slide: "Slides: {title}, page {page} of {pages}",
      board: "Whiteboard, page {page}",
      coming: "The slide is coming…",
    },
  },
};
