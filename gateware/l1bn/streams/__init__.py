"""What moves: payload layouts, registers, buffers and guards of streams."""
