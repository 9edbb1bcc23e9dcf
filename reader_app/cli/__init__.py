"""The command line: reads arguments, asks who is acting, calls one operation, prints what came out."""
