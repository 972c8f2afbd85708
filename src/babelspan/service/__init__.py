"""Questions over HTTP, and the page that asks them. Needs the extra `serve`."""
