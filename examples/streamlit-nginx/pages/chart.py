"""A chart: what it draws comes over the WebSocket, which the proxy guards too."""

import random

import streamlit as st

st.set_page_config(page_title="Chart", page_icon="📈")
st.title("A chart")
st.sidebar.header("A chart")
st.write("A hundred numbers, drawn anew by each press of the button.")
st.line_chart([random.randint(1, 1000) for _ in range(100)])
st.button("Draw again")
