/**
 * བོད་ཡིག — Tibetan, for what a class presses on its own pages. Where a key is missing, the Chinese words are shown.
 *
 * To be reviewed by a translator: written from standard dictionary words, not yet read by a teacher of a Tibetan class.
 * The keys are those of zh-CN.ts and parts/; words in {braces} stay as they are. Nothing but this file has to be changed.
 */

import "../styles/tibetan.css";

export default {
  nav: {
    lessons: "ངའི་སློབ་ཚན།",
    login: "ནང་འཛུལ།",
    preflight: "སློབ་ཁྲིད་སྔོན་གྱི་ཞིབ་བཤེར།",
  },
  entry: {
    title: "འཛིན་གྲྭ་སློབ་ཁང་དུ་འཛུལ་བ།",
    code: "སློབ་ཁང་གི་ཨང་རྟགས།",
    name: "འཛིན་གྲྭའི་མིང་། (མ་བྲིས་ན་འགྲིག)",
    headcount: "མི་གྲངས། (མ་བྲིས་ན་འགྲིག)",
    enter: "སློབ་ཁང་དུ་འཛུལ།",
    entering: "འཛུལ་བཞིན་པ།…",
    own: "同课 · {name}",
    other: "ཨང་རྟགས་གཞན་ཞིག",
    ourClass: "ང་ཚོའི་འཛིན་གྲྭ།",
  },
  lessons: {
    replay: "བསྐྱར་ལྟ།",
  },
  live: {
    hand: "ལག་པ་སྒྲེང་།",
    handUp: "ལག་པ་མར་འཇོག",
    handWaiting: "ལག་པ་བསྒྲེངས་ཟིན།",
    giveBack: "བཤད་ཟིན།",
    onFloor: "སྐད་ཆ་བཤད་བཞིན་པ།",
    volume: "སྒྲའི་ཆེ་ཆུང་།",
    mute: "སྒྲ་མེད་བཟོ།",
    unmute: "སྒྲ་འབྱེད།",
    soundBlocked: "འདིར་མནན་ནས་སྒྲ་འབྱེད།",
    fullscreen: "བརྙན་ཡོལ་གང་།",
    exitFullscreen: "བརྙན་ཡོལ་ཆུང་དུ་གཏོང་།",
    rejoin: "བསྐྱར་དུ་སྦྲེལ།",
    leave: "སློབ་ཁང་ནས་ཕྱིར་ཐོན།",
    another: "སློབ་ཁང་གཞན་ཞིག་ཏུ་འཛུལ།",
    mark: "རྟགས་རྒྱག",
    marked: "རྟགས་བརྒྱབ་ཟིན།",
    controls: "སློབ་ཁང་གི་བཀོལ་སྤྱོད།",
    more: "དེ་ལས་མང་བ།",
    pictures: "བརྙན་རིས།",
    pictureChoice: { all: "བརྙན་རིས་ཚང་མ།", large: "བརྙན་རིས་ཆེན་པོ་ཁོ་ན།", none: "སྒྲ་ཁོ་ན།" },
  },
  line: {
    label: "དྲ་རྒྱ། {word}",
    connecting: "སྦྲེལ་བཞིན་པ།",
    good: "ཡག་པོ།",
    fair: "འབྲིང་།",
    poor: "ཞན་པ།",
    lost: "ཆད་སོང་།",
  },
  rung: {
    high: "གསལ་ཚད་མཐོ་བ།",
    medium: "གསལ་ཚད་འབྲིང་བ།",
    low: "གསལ་ཚད་དམའ་བ།",
    audio: "སྒྲ་ཁོ་ན།",
  },
  chat: {
    title: "འཕྲིན་ཐུང་།",
  },
  problem: {
    retry: "ཡང་བསྐྱར་ཚོད་ལྟ་བྱེད།",
  },
  device: {
    retry: "ཡང་བསྐྱར་ཚོད་ལྟ་བྱེད།",
  },
  signal: {
    slower: "ག་ལེར།",
    unclear: "མི་གསལ།",
    inaudible: "སྒྲ་མི་གོ",
    again: "ཡང་བསྐྱར།",
    group: "དགེ་རྒན་ལ་བརྡ་གཏོང་།",
    sent: "དགེ་རྒན་ལ་བརྡ་བཏང་ཟིན།",
  },
  talk: {
    title: "དགེ་རྒན་དང་འཕྲིན་ཐུང་།",
    toTeachers: "དགེ་རྒན་ལ་འབྲི།…",
    toAll: "ཚང་མར་འབྲི།…",
    label: "འཕྲིན་ཐུང་།",
    send: "གཏོང་།",
    to: "སུ་ལ།",
    teachers: "དགེ་རྒན།",
    everybody: "ཚང་མ།",
    us: "ང་ཚོའི་འཛིན་གྲྭ།",
    close: "འཕྲིན་ཐུང་ཁ་རྒྱག",
    phone: "ཁ་པར་གྱིས་རོགས་བྱེད།",
    phoneHide: "ཨང་རྟགས་ཁ་རྒྱག",
    phoneAnother: "ཨང་རྟགས་གཞན་ཞིག",
  },
  phone: {
    hand: "ལག་པ་སྒྲེང་།",
    handUp: "ལག་པ་མར་འཇོག",
    photo: "སློབ་མའི་ལས་བྱའི་པར་རྒྱག",
    messages: "དགེ་རྒན་དང་འཕྲིན་ཐུང་།",
    floor: "ང་ཚོའི་འཛིན་གྲྭས་སྐད་ཆ་བཤད་བཞིན་པ།",
    again: "ཡང་བསྐྱར་ཚོད་ལྟ་བྱེད།",
  },
  ownPicture: {
    title: "ང་ཚོའི་པར་ཆས།",
    floor: "སྐད་ཆ་བཤད་སྐབས་འབྱེད།",
    always: "རྟག་ཏུ་འབྱེད། དུས་རྒྱུན་དགེ་རྒན་ཁོ་ནས་མཐོང་།",
    never: "མི་འབྱེད།",
    recording: "བརྙན་ལེན།",
  },
  handouts: {
    open: "ཁ་ཕྱེ།",
    print: "པར་འདེབས།",
    openThis: "{name} ཁ་ཕྱེ།",
    printThis: "{name} པར་འདེབས།",
  },
  waiting: {
    preflight: "སློབ་ཁྲིད་སྔོན་གྱི་ཞིབ་བཤེར།",
    leave: "ཕྱིར་ཐོན།",
  },
  second: {
    takeOver: "སྒྲིག་ཆས་འདིར་སྤོ།",
    watch: "ལྟ་བ་ཁོ་ན། སྒྲ་མེད།",
    teach: "སྒྲིག་ཆས་འདིར་སློབ་ཁྲིད་མུ་མཐུད།",
  },
};
