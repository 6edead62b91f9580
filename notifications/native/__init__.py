"""Native applications on phones (N-037): their devices, and sending through FCM (Google) and APNs (Apple)."""
