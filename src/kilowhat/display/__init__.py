"""Numbers with prefix and doubt, tables, bars, SVG charts and the HTML shell.

One path for the command line, the web application, reports and notebooks; nothing here knows a
terminal library or a web framework.
"""
