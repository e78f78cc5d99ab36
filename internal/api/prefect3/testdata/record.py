"""Record exchanges with a Prefect 3 server as a txtar file.

    PREFECT_API_URL=http://127.0.0.1:4200/api python3 record.py < requests > story.txtar

Each line of the input is METHOD PATH [BODY]; $name stands for an id that an
earlier answer gave: a line "= name" after a request names the id of its answer.
Use a fresh server: lists hold what was there before. The format is described
in exchange_test.go.
"""

import http.client
import json
import os
import re
import sys
import urllib.parse

URL = urllib.parse.urlsplit(os.environ["PREFECT_API_URL"])
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"')
VOLATILE = re.compile(r'"(estimated_start_time_delta|estimated_run_time|total_run_time)": [0-9.e-]+')


def send(method, path, body):
    connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
    headers = {"Content-Type": "application/json", "User-Agent": "prefect/3.8.8 (API 0.8.4)"}
    connection.request(method, URL.path + path, body=body and body.encode(), headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def main():
    ids, names = {}, {}
    last = None

    def named(text):
        def name(m):
            if m.group().startswith("00000000-"):
                return m.group()
            return ids.setdefault(m.group(), f"<id-{len(ids) + 1}>")

        return UUID.sub(name, text)

    def normal(text):
        text = named(text)
        text = TIME.sub('"<time>"', text)
        return VOLATILE.sub(r'"\1": "<any>"', text)

    for line in sys.stdin:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("= "):
            names[line[2:]] = json.loads(last)["id"]
            continue
        for key, value in names.items():
            line = line.replace("$" + key, value)
        method, path, *rest = line.split(" ", 2)
        body = rest[0] if rest else None
        status, last = send(method, path, body)
        print(f"-- {method} {named(path)} --")
        if body:
            print(named(body))
        print(f"-- {status} --")
        if last:
            answer = json.dumps(json.loads(last), ensure_ascii=False)
            answer = re.sub(r'("name": )"[a-z]+-[a-z]+"', r'\1"<any>"', answer)
            print(normal(answer))


main()
