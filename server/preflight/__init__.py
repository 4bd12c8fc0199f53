"""课前检测: what the server does for a browser that looks, before a lesson, whether its line will carry it."""
