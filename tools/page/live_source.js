
// Asks the server for the data, again and again.
const kPollMilliseconds = 2000;

class LiveSource {
  constructor(show) {
    this.show = show;
    this.tag = null;
    // The cookie counts from now on; the token need not stay in the address.
    history.replaceState(null, "", location.pathname);
    this.poll();
  }

  async poll() {
    const state = byId("live");
    state.hidden = false;
    try {
      const answer = await fetch("/data.json", {cache: "no-store", headers: this.tag === null ? {} : {"If-None-Match": this.tag}});
      if (answer.status === 200) {
        const data = await answer.json();
        this.tag = answer.headers.get("ETag");
        this.show(data);
      }
      if (answer.status === 200 || answer.status === 304) state.textContent = "live";
      else state.textContent = (await answer.text()).trim();
    } catch (error) {
      state.textContent = "no answer from mallocspy serve";
    }
    setTimeout(() => this.poll(), kPollMilliseconds);
  }
}
