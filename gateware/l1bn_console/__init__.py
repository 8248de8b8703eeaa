"""What the commands of all packages print alike: tables. It knows nothing of hardware or of the golden model."""
