"""Settings › Records: what an account defines itself, a module for each thing. Members look, super admins change."""
