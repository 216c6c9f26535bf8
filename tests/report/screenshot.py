"""A picture of the first figures of a report. usage: screenshot.py REPORT.html PICTURE.png [HEIGHT]"""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import browser as browsers

page = browsers.Browser(browsers.find(), width=1000)
page.open(sys.argv[1])
clip = {"x": 0, "y": 0, "width": 1000, "height": int(sys.argv[3]) if len(sys.argv) > 3 else 1500, "scale": 0.8}
with open(sys.argv[2], "wb") as file:
    file.write(base64.b64decode(page.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]))
page.close()
