"""What drives the shop on one machine: embedded servers and `up`, the sandbox, simulation, chaos and measurements."""
