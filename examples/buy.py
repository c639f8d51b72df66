import json
import os
import urllib.request

proxy = os.environ.get("PROXY", "http://127.0.0.1:8402")  # the agent's; it pays
opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))
with opener.open("http://living-room/reading", timeout=60) as answer:
    print(json.load(answer), answer.headers["Uraiden-Cost"])
