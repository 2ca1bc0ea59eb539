import os, json
from pathlib import Path
def test_look(visit, staged, empty, is_too_wide):
    out=Path("/tmp/browser-look"); out.mkdir(exist_ok=True)
    page=visit(staged)
    import time; t=time.time()
    pages={"webhooks":"/","deliveries":"/deliveries","dead":"/deliveries?status=dead","undelivered":"/undelivered","history":"/history","apply":"/history/2",
     "webhook":"/webhooks/Chat%20alerts","held":"/webhooks/Data%20warehouse","circuit":"/webhooks/Incident%20responders","inactive":"/webhooks/Audit%20archive","siem":"/webhooks/SIEM",
     "confirm":"/actions/replay?status=dead","confirm-hold":"/actions/hold?webhook=SIEM","wrong":"/deliveries?since=x","nomatch":"/?q=zzz","dnomatch":"/deliveries?webhook=zzz","hnomatch":"/history?q=zzz","unomatch":"/undelivered?webhook=zzz","nothing":"/actions/replay?webhook=zzz","unclear":"/actions/replay","notfound":"/webhooks/zzz"}
    page.goto("/deliveries?status=dead")
    pages["delivery"]=page.locator("tbody th a").first.get_attribute("href")
    pages["event"]=page.locator("td.id a").first.get_attribute("href")
    only=os.environ.get("ONLY","").split()
    def shoot(page,name):
        for mode in ("light","dark"):
            page.emulate_media(color_scheme=mode); page.screenshot(path=out/f"{name}-{mode}.png", full_page=True)
        page.set_viewport_size({"width":360,"height":740}); page.screenshot(path=out/f"{name}-phone.png", full_page=True)
        print(name, is_too_wide(page)); page.set_viewport_size({"width":1280,"height":900}); page.emulate_media(color_scheme="light")
    for n,p in pages.items():
        if only and n not in only: continue
        page.goto(p); shoot(page,n)
    if not only or "test" in only:
        page.goto("/webhooks/SIEM"); page.get_by_role("button",name="Test",exact=True).click(); page.get_by_text("Test successful").wait_for(); shoot(page,"test-ok")
        page.goto("/webhooks/Chat%20alerts"); page.get_by_role("button",name="Test",exact=True).click(); page.get_by_text("Test failed").wait_for(); shoot(page,"test-bad")
    page=visit(empty)
    for n,p in {"e-webhooks":"/","e-deliveries":"/deliveries","e-undelivered":"/undelivered","e-history":"/history"}.items():
        if only and n not in only: continue
        page.goto(p); shoot(page,n)
    page=visit(empty, signed_in=False); page.goto("/sign-in"); shoot(page,"sign-in")
    print(time.time()-t)
