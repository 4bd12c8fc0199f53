/** 摄像头、麦克风、屏幕打不开时的话：哪里不对，该怎么办。 */

export default {
  "zh-CN": {
    device: {
      both: {
        refused: "浏览器没有得到摄像头和麦克风的许可。请点地址栏左边的图标，允许使用，然后再试一次。",
        missing: "没有找到摄像头和麦克风。请插好设备再试，否则对方看不到也听不到。",
        busy: "摄像头和麦克风正被别的程序占用。请关掉那个程序，然后再试一次。",
        insecure: "浏览器只在 https 地址上肯打开摄像头和麦克风。请改用 https 开头的地址进来。",
        unknown: "摄像头和麦克风打不开。请拔下重插，然后再试一次。",
      },
      camera: {
        refused: "浏览器没有得到摄像头的许可。请点地址栏左边的图标，允许摄像头，然后再试一次。",
        missing: "没有找到摄像头。请插好摄像头再试；没有也可以上课，班级会听到声音。",
        busy: "摄像头正被别的程序占用。请关掉那个程序，然后再试一次。",
        insecure: "浏览器只在 https 地址上肯打开摄像头。请改用 https 开头的地址进来。",
        unknown: "摄像头打不开。请拔下重插，然后再试一次。",
      },
      microphone: {
        refused: "浏览器没有得到麦克风的许可。请点地址栏左边的图标，允许麦克风，然后再试一次。",
        missing: "没有找到麦克风。请插好麦克风再试，否则对方听不到声音。",
        busy: "麦克风正被别的程序占用。请关掉那个程序，然后再试一次。",
        insecure: "浏览器只在 https 地址上肯打开麦克风。请改用 https 开头的地址进来。",
        unknown: "麦克风打不开。请拔下重插，然后再试一次。",
      },
      screen: {
        refused: "屏幕没有共享出去。请再点一次“共享屏幕”，并在弹出的窗口里选好。",
        missing: "这个浏览器不能共享屏幕。请用电脑上的 Chrome、Edge 或 Firefox。",
        busy: "屏幕共享没有成功。请再点一次“共享屏幕”。",
        insecure: "浏览器只在 https 地址上肯共享屏幕。请改用 https 开头的地址进来。",
        unknown: "屏幕共享没有成功。请再点一次“共享屏幕”。",
      },
      retry: "再试一次",
    },
  },
  en: {
    device: {
      both: {
        refused: "The browser may not use camera and microphone. Click the icon left of the address, allow both, then try again.",
        missing: "No camera and no microphone were found. Plug them in and try again, or nobody will see or hear you.",
        busy: "Another program is using camera and microphone. Close it and try again.",
        insecure: "Browsers open camera and microphone only on https addresses. Please use the address that begins with https.",
        unknown: "Camera and microphone do not open. Unplug them, plug them in, and try again.",
      },
      camera: {
        refused: "The browser may not use the camera. Click the icon left of the address, allow the camera, then try again.",
        missing: "No camera was found. Plug one in and try again; you can also teach with sound alone.",
        busy: "Another program is using the camera. Close it and try again.",
        insecure: "Browsers open the camera only on https addresses. Please use the address that begins with https.",
        unknown: "The camera does not open. Unplug it, plug it in, and try again.",
      },
      microphone: {
        refused: "The browser may not use the microphone. Click the icon left of the address, allow it, then try again.",
        missing: "No microphone was found. Plug one in and try again, or nobody will hear you.",
        busy: "Another program is using the microphone. Close it and try again.",
        insecure: "Browsers open the microphone only on https addresses. Please use the address that begins with https.",
        unknown: "The microphone does not open. Unplug it, plug it in, and try again.",
      },
      screen: {
        refused: "The screen is not shared. Press Share screen again and choose one in the window that opens.",
        missing: "This browser cannot share a screen. Use Chrome, Edge or Firefox on a computer.",
        busy: "Sharing did not work. Press Share screen again.",
        insecure: "Browsers share the screen only on https addresses. Please use the address that begins with https.",
        unknown: "Sharing did not work. Press Share screen again.",
      },
      retry: "Try again",
    },
  },
};
