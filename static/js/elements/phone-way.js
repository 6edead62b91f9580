/** On a phone that calls itself a computer (an iPad) the Mobile app tab leads on to the phone's own settings. */
class PhoneWay extends HTMLElement {
  connectedCallback() {
    if (document.documentElement.dataset.device === "phone") location.replace(new URL(this.dataset.to).pathname);
  }
}
customElements.define("phone-way", PhoneWay);
