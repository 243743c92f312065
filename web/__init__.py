"""Pages and the API: what people and scripts see of the domain; knows nothing of stores and models."""
