// One stream a browser: HTTP/1.1 allows six connections to a shop, and a stream holds one for as long as it lives. The
// tab that has the lock streams and tells the others; a hidden tab lets go. Where a browser has no locks (plain http on
// a local network), each visible tab has a stream of its own.
(() => {
  const NAME = "bitloot:stream";
  let channel = null;
  try {
    channel = new BroadcastChannel(NAME);
  } catch {
    // storage is blocked here: the tabs can't hear each other
  }

  // topic: what the page's stream tells of. open() and close() begin and end our own; moved() brings another tab's news
  // of the topic; covered(yes) says whether another tab's stream tells of it now.
  window.oneStream = (topic, { open, close, moved, covered }) => {
    let release = null; // gives the lock back; set while the stream is ours
    let seeking = null;
    let up = false;
    const say = (what) => channel?.postMessage({ what, topic });

    channel?.addEventListener("message", ({ data }) => {
      if (data.what === "who" && up) say("have");
      if (release || document.hidden) return;
      if (data.what === "have") covered(data.topic === topic);
      if (data.what === "lost") covered(false);
      if (data.what === "moved" && data.topic === topic) moved();
    });

    const take = () =>
      new Promise((done) => {
        release = done;
        open();
      });
    const seek = () => {
      if (release || seeking || document.hidden) return;
      say("who");
      const asked = (seeking = new AbortController());
      const mine = () => (asked === seeking ? take() : null);
      if (!navigator.locks) return void mine();
      navigator.locks
        .request(NAME, { signal: asked.signal }, mine)
        .catch((error) => error.name === "AbortError" || mine())
        .finally(() => asked === seeking && (seeking = null));
    };
    const letGo = () => {
      seeking?.abort();
      seeking = null;
      if (!release) return;
      const done = release;
      release = null;
      up = false;
      close();
      say("lost");
      done();
    };

    document.addEventListener("visibilitychange", () => (document.hidden ? letGo() : seek()));
    addEventListener("pagehide", letGo);
    addEventListener("pageshow", seek);
    addEventListener("DOMContentLoaded", seek);
    return {
      get ours() {
        return !!release;
      },
      // Our stream has begun or broken.
      is(now) {
        if (!release || now === up) return;
        up = now;
        say(up ? "have" : "lost");
      },
      // Our stream has brought news.
      moved: () => say("moved"),
    };
  };
})();
