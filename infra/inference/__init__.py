"""Models that embed and write: run here with OpenVINO, or asked for at an OpenAI-compatible address."""
