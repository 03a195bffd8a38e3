const pc = new RTCPeerConnection({
  iceServers: [
    { urls: "stun:198.51.100.7:3478" },
    { urls: ["turn:198.51.100.7:3478?transport=udp"], username: "alice", credential: "hunter2-secret" },
    { urls: "turn:198.51.100.8:3478", username: process.env.TURN_USER, credential: secret() },
  ],
});
