"""Node, and the npm packages that the tests use. `package-lock.json` holds their versions."""
